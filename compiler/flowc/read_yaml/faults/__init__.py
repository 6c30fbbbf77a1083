"""What libyaml's scanner and parser refuse, said in the words of the author."""
