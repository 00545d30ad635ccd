"""Two lots worth looking at, as lot files, and the drawings they are made from."""
