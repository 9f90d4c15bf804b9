"""What a component is: role contracts, typed configs, typed paths."""
