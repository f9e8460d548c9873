"""Shows what a template makes of a message as Slack would draw it: a page for a frame without rights."""

from __future__ import annotations

from channels.adapters.slack_cards import lay_out
from channels.message import Message, Rendered
from channels.slack.drawing import draw_card

STYLE = """
:root{color-scheme:light dark;--line:#d0d4da;--soft:#616b76}
body{font:15px/1.46 Lato,system-ui,sans-serif;margin:.75rem;overflow-wrap:anywhere}
h2{font-size:1.1rem;margin:.1rem 0 .4rem}p{margin:.3rem 0}a{color:#1264a3}
.bar{border-left:4px solid;border-radius:2px;padding-left:.75rem;margin:.35rem 0}
.fields{display:grid;grid-template-columns:1fr 1fr;gap:.35rem 1rem;margin:.4rem 0}
.context{color:var(--soft);font-size:.8rem}
.actions{display:flex;flex-wrap:wrap;gap:.4rem;margin:.5rem 0}
.button{display:inline-block;border:1px solid var(--line);border-radius:6px;padding:.2rem .7rem;font-weight:600;
font-size:.85rem;color:inherit;text-decoration:none;margin:.1rem 0}
.button.primary{background:#007a5a;border-color:#007a5a;color:#fff}
.more summary{list-style:none;cursor:pointer}.more .button{display:block}
.chart{max-width:100%;border-radius:8px}hr{border:0;border-top:1px solid var(--line)}
code{background:#8881;border:1px solid var(--line);border-radius:3px;padding:0 .2em;color:#c01343}
.quote{display:block;border-left:4px solid var(--line);padding-left:.6rem}
.ping{background:#fff1c2;color:#1264a3}
.dot{display:inline-block;width:.8em;height:.8em;border-radius:50%;vertical-align:-.06em}
.dot.red{background:#d92d20}.dot.orange{background:#e8590c}.dot.yellow{background:#eaaa08}
.dot.blue{background:#2e72d2}.dot.green{background:#12874b}
"""


def draw(rendered: Rendered, message: Message) -> str:
    """Return the page; its buttons do nothing."""
    body = draw_card(lay_out(message, rendered, sign=str))
    return f'<!doctype html><html><head><meta charset="utf-8"><style>{STYLE}</style></head><body>{body}</body></html>'
