"""Wilson's lower bound once more, by another way than the product's, and spelled out so that a reader can follow."""

from __future__ import annotations

from decimal import Decimal, getcontext

getcontext().prec = 50
Z = Decimal("1.959963984540054")
NEEDS_ANSWERS = 20
NEEDS_BOUND = Decimal("0.80")


def bound(accepted: int, n: int) -> Decimal:
    """The smaller root of (1 + z²/n)·q² - (2p + z²/n)·q + p² = 0, where p = accepted / n."""
    p, spread = Decimal(accepted) / n, Z * Z / n
    a, b, c = 1 + spread, -(2 * p + spread), p * p
    return (-b - (b * b - 4 * a * c).sqrt()) / (2 * a)


def is_earned(accepted: int, n: int) -> bool:
    return n >= NEEDS_ANSWERS and bound(accepted, n) >= NEEDS_BOUND


def spelled_out(accepted: int, n: int) -> list[str]:
    """The formula with the numbers filled in, a line for each step."""
    p, square = Decimal(accepted) / n, Z * Z
    half, under, quarter, whole = square / (2 * n), p * (1 - p) / n, square / (4 * n * n), square / n
    root = Z * (under + quarter).sqrt()
    found = bound(accepted, n)
    verdict = ">=" if found >= NEEDS_BOUND else "<"
    return [
        f"p = {accepted}/{n} = {p:.6f}, z = {Z:.6f}, z² = {square:.6f}",
        f"(p + z²/2n - z·√(p(1-p)/n + z²/4n²)) / (1 + z²/n), with n = {n}",
        f"= ({p:.6f} + {half:.6f} - {Z:.6f}·√({under:.6f} + {quarter:.6f})) / (1 + {whole:.6f})",
        f"= ({p + half:.6f} - {root:.6f}) / {1 + whole:.6f}",
        f"= {found:.4f} {verdict} {NEEDS_BOUND}",
    ]
