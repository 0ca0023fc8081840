"""States what the law of the European Union says about emotion recognition; model cards and the API quote it."""

from __future__ import annotations

REGULATION = "Regulation (EU) 2024/1689"
PROHIBITED = (
    "In the European Union, inferring emotions at the workplace or in education is prohibited, except for medical or "
    f"safety reasons ({REGULATION}, Article 5(1)(f))."
)
HIGH_RISK = "Where it is permitted, emotion recognition is a high-risk use (Annex III, point 1(c))."
INFORM = (
    "Whoever uses it has to inform the people concerned and process their personal data under the GDPR (Article 50(3))."
)
EU_LAW = f"{PROHIBITED} {HIGH_RISK} {INFORM}"
