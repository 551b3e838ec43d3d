"""Who may do what in the warehouse: its roles, and what is granted to them."""
