"""The looks of the inbox, light and dark."""

STYLE = """
:root{--bg:#f5f6f8;--card:#fff;--ink:#1d1c1d;--soft:#616061;--line:#e3e4e8;--link:#1264a3;
--code:#c01343;--codebg:#f6f6f7;color-scheme:light dark}
@media(prefers-color-scheme:dark){:root{--bg:#15171b;--card:#1f2227;--ink:#e8e8ea;--soft:#a5a7ad;
--line:#343840;--link:#6cb4ee;--code:#f2869f;--codebg:#2a2d33}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);
font:15px/1.46 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
header{position:sticky;top:0;z-index:1;display:flex;flex-wrap:wrap;gap:.4rem 1.2rem;
align-items:center;padding:.7rem max(1rem,calc(50% - 28rem));background:var(--card);
border-bottom:1px solid var(--line)}
h1{font-size:1.15rem;margin:0}
nav{display:flex;gap:.25rem}
nav a{padding:.25rem .7rem;border-radius:99px;color:var(--soft);text-decoration:none}
nav a[aria-current]{background:var(--link);color:#fff}
@media(prefers-color-scheme:dark){nav a[aria-current]{color:#10161d}}
.count{margin-left:auto;color:var(--soft);font-size:.85rem}
header button{font:inherit;font-size:.85rem;padding:.2rem .7rem;border:1px solid var(--line);
border-radius:6px;background:none;color:inherit;cursor:pointer}
main{max-width:56rem;margin:1.2rem auto;padding:0 1rem;display:grid;gap:1rem}
article{background:var(--card);border:1px solid var(--line);border-radius:10px;
padding:.9rem 1.1rem;min-width:0;overflow-wrap:anywhere}
.meta{display:flex;gap:.6rem;align-items:center;font-size:.85rem;color:var(--soft);
margin-bottom:.6rem}
.meta b{color:var(--ink);font-weight:600}
.meta time{margin-left:auto;font-variant-numeric:tabular-nums;white-space:nowrap}
.tag{padding:.05rem .55rem;border-radius:99px;font-weight:600;color:#fff;font-size:.75rem}
.slack .tag{background:#611f69}.email .tag{background:#1264a3}.webhook .tag{background:#4a5560}
.sms .tag{background:#0a7d43}.pagerduty .tag{background:#046a38}
.said{white-space:pre-line;background:var(--card);border:1px solid var(--line);border-left:4px solid var(--link);
border-radius:8px;padding:.5rem .9rem}
.bubble{max-width:24rem;background:#e5e5ea;color:#101014;border-radius:18px 18px 18px 4px;padding:.6rem .9rem;
white-space:pre-wrap}
.bubble a{color:#0a4f9e}
.small{color:var(--soft);font-size:.8rem;margin:.35rem 0 0}
.acts{display:flex;gap:.5rem;flex-wrap:wrap;margin-top:.6rem}
.acts button{font:inherit;font-size:.88rem;font-weight:600;padding:.25rem .75rem;border:1px solid var(--line);
border-radius:6px;background:none;color:inherit;cursor:pointer}
.incident{border-left:4px solid #2e72d2;padding-left:.8rem}
.incident.critical{border-color:#d92d20}.incident.error{border-color:#e8590c}.incident.warning{border-color:#eaaa08}
.incident.over{border-color:#12874b}
.badge{display:inline-block;padding:.05rem .5rem;border-radius:99px;background:var(--line);font-size:.75rem;
font-weight:600;text-transform:uppercase}
h2{font-size:1.05rem;margin:.1rem 0 .4rem}
a{color:var(--link)}
p{margin:.25rem 0}
.empty{text-align:center;color:var(--soft);padding:4rem 0}
.slackmsg{display:flex;gap:.7rem}
.avatar{flex:none;width:36px;height:36px;border-radius:6px;background:#d92d20;color:#fff;
display:grid;place-items:center;font-weight:800}
.slackbody{min-width:0;flex:1}
.who span{font-size:.65rem;background:var(--line);color:var(--soft);padding:0 .25rem;
border-radius:3px;vertical-align:middle}
.fields{display:grid;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr));gap:.35rem 1rem;
margin:.35rem 0}
.actions form{margin:0}
button.button{font:inherit;font-size:.88rem;font-weight:600;background:none;cursor:pointer}
button.button.primary{background:#007a5a;border-color:#007a5a;color:#fff}
.bar{border-left:4px solid;padding-left:.75rem;margin:.35rem 0}
.inthread{margin-left:.6rem;padding-left:.8rem;border-left:2px solid var(--line)}
.quote{display:block;border-left:4px solid var(--line);padding-left:.6rem;margin:.1rem 0}
.more{position:relative;margin:0}.more summary{display:block}.more summary{list-style:none;cursor:pointer}
.more summary::-webkit-details-marker{display:none}

.more[open] form{margin-top:.35rem}.more form button{width:100%;text-align:left;border:0}
.command{display:flex;gap:.6rem;align-items:center;margin-bottom:1rem}
.command label{font-family:monospace}
.command input{flex:1;font:inherit;padding:.4rem;border:1px solid var(--line);border-radius:6px;background:var(--card);
color:inherit}
.dialog{display:grid;gap:.8rem;max-width:30rem}
.dialog textarea,.dialog select{display:block;width:100%;font:inherit;margin-top:.3rem;padding:.4rem;
background:transparent;color:inherit;border:1px solid var(--line);border-radius:6px}
.context{color:var(--soft);font-size:.8rem}
.actions{display:flex;gap:.5rem;flex-wrap:wrap;margin-top:.6rem}
.button{border:1px solid var(--line);border-radius:6px;padding:.25rem .75rem;font-weight:600;
text-decoration:none;color:inherit;font-size:.88rem}
.button.primary{background:#007a5a;border-color:#007a5a;color:#fff}
.button.danger{background:#e01e5a;border-color:#e01e5a;color:#fff}
.dot{display:inline-block;width:.8em;height:.8em;border-radius:50%;vertical-align:-.06em;margin-right:.1em}
.dot.red{background:#d92d20}.dot.orange{background:#e8590c}.dot.yellow{background:#eaaa08}
.dot.blue{background:#2e72d2}.dot.green{background:#12874b}
.ping{background:#fbe29b;color:#4a3200;border-radius:3px;padding:0 .15rem}
hr{border:0;border-top:1px solid var(--line);margin:.6rem 0}
code{color:var(--code);background:var(--codebg);border:1px solid var(--line);border-radius:4px;
padding:.05rem .25rem;font-size:.85em}
img{max-width:100%;height:auto}
iframe{width:100%;height:420px;border:1px solid var(--line);border-radius:8px;background:#fff}
pre{white-space:pre-wrap;background:var(--codebg);border:1px solid var(--line);border-radius:8px;
padding:.7rem .8rem;margin:.4rem 0;font:13px/1.45 ui-monospace,"SF Mono",Menlo,monospace;
max-height:30rem;overflow:auto}
.json{max-height:18rem}
details{margin-top:.6rem;font-size:.85rem;color:var(--soft)}
summary{cursor:pointer}
.signature{display:inline-block;font-size:.8rem;font-weight:600;padding:.1rem .6rem;
border-radius:99px;border:1px solid currentcolor;color:var(--soft)}
.signature.good{color:#087f5b}.signature.bad{color:#d92d20}
@media(prefers-color-scheme:dark){.signature.good{color:#4fd1a5}.signature.bad{color:#ff8a80}}
"""
