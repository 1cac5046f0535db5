"""One file per source, strangers to one another; `collectors.registry` lists them."""
