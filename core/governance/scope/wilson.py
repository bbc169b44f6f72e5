"""How much a share may be trusted that was seen in a few cases."""

from __future__ import annotations

from math import sqrt

Z_95 = 1.959963984540054
"""The normal distribution's 97.5 % point: beyond it, on both sides together, lie 5 %."""


def lower_bound(accepted: int, n: int, z: float = Z_95) -> float | None:
    """The lower end of Wilson's score interval for a share of which `accepted` of `n` were seen; None for none of 0.

    With p = accepted / n it is

        (p + z²/2n - z·√(p(1 - p)/n + z²/4n²)) / (1 + z²/n)

    Derivation: a share q is not refuted by what was seen while |p - q| <= z·√(q(1 - q)/n), the spread that q itself
    would give. Squared this is (1 + z²/n)·q² - (2p + z²/n)·q + p² <= 0, and its smaller root is the bound.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the
    American Statistical Association 22 (1927), 209-212. The textbook's p - z·√(p(1 - p)/n) (Wald) takes the spread
    from p instead: after 20 of 20 it claims certainty, and at such n it holds far less often than it says; see L. D.
    Brown, T. T. Cai, A. DasGupta, "Interval estimation for a binomial proportion", Statistical Science 16 (2001),
    101-133, who recommend Wilson's for small n.

    Raises ValueError when `accepted` is not within 0 and `n`.
    """
    if not 0 <= accepted <= n:
        raise ValueError(f"{accepted} of {n} is no share")
    if n == 0:
        return None
    p, spread = accepted / n, z * z / n
    root = z * sqrt(p * (1 - p) / n + spread / (4 * n))
    # Rounding may leave the interval by a part in 10^17.
    return min(max((p + spread / 2 - root) / (1 + spread), 0.0), p)
