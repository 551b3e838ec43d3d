"""How busy the days of the week are, Monday to Sunday. Constants about 1."""

ONLINE_WEEK = (1.08, 1.02, 1.0, 0.98, 1.05, 0.95, 0.92)
SHOP_WEEK = (0.8, 0.85, 0.9, 0.95, 1.2, 1.6, 0.7)
OFFICE_WEEK = (1.35, 1.25, 1.2, 1.15, 1.1, 0.5, 0.45)
