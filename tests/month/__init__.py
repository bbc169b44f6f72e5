"""A month in the life of a workspace, played through the product's own parts and counted twice.

`story` and `reckoning` know the plan and import nothing of the product; `stage` plays the plan, `readings` reads what
the product's tables say of it. What the two sides count has to be the same.
"""
