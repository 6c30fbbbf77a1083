"""From the tree of a flow file to the IR: shapes, places, callees and names of things."""
