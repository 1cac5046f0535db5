"""One file for each kind of hypervisor; its docstring is its manual."""
