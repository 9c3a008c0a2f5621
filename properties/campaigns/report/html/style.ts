/**
 * The page's style sheet: light and dark, desktop, narrow and paper. Colours of the figures are declared here, once.
 */

/** Name, light, dark. Classes of figures take their colour from the variable of the same name. */
const COLOURS: readonly (readonly [string, string, string])[] = [
  ['paper', '#ffffff', '#15181c'],
  ['shade', '#f4f5f6', '#1e2227'],
  ['ink', '#1b1f24', '#e3e6ea'],
  ['muted', '#5c646e', '#9aa3ad'],
  ['rule', '#d8dce0', '#343a42'],
  ['link', '#285a8c', '#82b1df'],
  // Mechanisms.
  ['none', '#7a828b', '#8d969f'],
  ['rehype', '#285a8c', '#6fa5d8'],
  ['nilihype', '#b3611a', '#e09a55'],
  ['plain', '#4b7aa6', '#6f9ac2'],
  // Ends.
  ['non-manifested', '#e3e6e9', '#343a41'],
  ['latent', '#bcc3ca', '#535b64'],
  ['novmf', '#3d8361', '#3f8f68'],
  ['vmlost', '#9fcdb5', '#8cc5a8'],
  ['failed', '#bd4038', '#cf5a50'],
  ['announced', '#d9bcd8', '#70506f'],
  ['hang', '#b98bb7', '#8a5c88'],
  ['death', '#98639b', '#9a6798'],
  ['sdc', '#7a3f78', '#a668a3'],
  // Fault classes.
  ['class-failstop', '#285a8c', '#6fa5d8'],
  ['class-register', '#b3611a', '#e09a55'],
  ['class-code', '#3d8361', '#57ab82'],
  ['class-memory', '#7a3f78', '#b47fb1'],
  ['class-csr', '#bd4038', '#de7068'],
  ['class-interrupt', '#3d8b96', '#5fb5c1'],
  ['class-device', '#8a7a2c', '#c2b052'],
  // VMs affected.
  ['vms-1', '#e7c27d', '#d9b268'],
  ['vms-2', '#d58936', '#d58936'],
  ['vms-3', '#b3491f', '#c25d35'],
  ['vms-4', '#701f14', '#9c3a2c'],
  // Causes, in the order of FailureCause.
  ['cause-0', '#701f14', '#a33a2b'],
  ['cause-1', '#bd4038', '#d3665e'],
  ['cause-2', '#e0913f', '#dd9a52'],
  ['cause-3', '#ecca7f', '#d8bb74'],
  ['cause-4', '#285a8c', '#5288bb'],
  ['cause-5', '#7fb0d3', '#8ebddd'],
  ['cause-6', '#7a3f78', '#a668a3'],
  ['cause-7', '#b9c0c7', '#68717b'],
  // Steps of recovery.
  ['plain-step', '#aab1b8', '#5d666f'],
  ['step-0', '#bfd3e6', '#3c5873'],
  ['step-1', '#f0cfa8', '#7d5428'],
  ['step-2', '#bcdcca', '#33634b'],
  ['step-3', '#9dbfde', '#4b7299'],
  ['step-4', '#e2d6a0', '#6d6228'],
  ['step-5', '#dcc3dc', '#674766'],
  ['step-6', '#ecbbb5', '#7d3f38'],
  ['step-7', '#b3dde2', '#2f636b'],
  ['step-8', '#cfd4d9', '#4b535c'],
  ['step-9', '#d3dfa9', '#566329'],
  ['step-10', '#e6c8b4', '#6f4c36'],
  ['step-11', '#c6c6ea', '#4a4a80'],
];

const variables = (column: 1 | 2): string => COLOURS.map((row) => `--${row[0]}:${row[column]}`).join(';');
const DRAWN = COLOURS.slice(6);
const fills = DRAWN.map(([name]) => `.${name}{fill:var(--${name})}`).join('');
const strokes = DRAWN.filter(([name]) => /^(none|rehype|nilihype)$/.test(name))
  .map(
    ([name]) =>
      `.stroke-${name}{stroke:var(--${name});stroke-width:1.3}.hollow.${name}{fill:var(--paper);stroke:var(--${name});stroke-width:1.6}`,
  )
  .join('');
const curves = DRAWN.filter(([name]) => name.startsWith('class-'))
  .map(([name]) => `polyline.${name},line.${name}{fill:none;stroke:var(--${name});stroke-width:2}`)
  .join('');

export const STYLE = `
:root{color-scheme:light dark;${variables(1)}}
@media (prefers-color-scheme:dark){:root{${variables(2)}}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main,header,footer{max-width:1040px;margin:0 auto;padding:0 24px}
header{padding-top:44px}
h1{font-size:27px;line-height:1.25;font-weight:650;letter-spacing:-.012em;margin:0 0 4px;overflow-wrap:anywhere}
.sub{color:var(--muted);margin:0 0 22px}
h2{font-size:19px;font-weight:650;letter-spacing:-.005em;margin:56px 0 12px;padding-top:14px;border-top:1px solid var(--rule)}
h3{font-size:15px;font-weight:650;margin:30px 0 8px}
a{color:var(--link);text-underline-offset:2px}
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:2px 18px;margin:18px 0 0;padding:0}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:3px 18px;margin:0}
dt{color:var(--muted)}
dd{margin:0;overflow-wrap:anywhere}
.warning{border-left:3px solid var(--failed);background:var(--shade);padding:10px 16px;margin:0 0 22px;font-weight:600}
.caveat{border-left:3px solid var(--nilihype);background:var(--shade);padding:10px 16px;margin:22px 0 0}
figure{margin:20px 0 26px}
figcaption,.note{color:var(--muted);font-size:13px;line-height:1.5;max-width:92ch}
.note{margin:6px 0 0}
svg{display:block}
figure .wide svg,figure .narrow svg{width:100%;height:auto}
.legend svg{flex:none}
figure .narrow{display:none}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:4px 16px;margin:0 0 10px;padding:0;font-size:13px}
.legend li{display:flex;align-items:center;gap:6px}
.scroll{overflow-x:auto;margin:16px 0 0}
table{border-collapse:collapse;font-size:13px;line-height:1.35;font-variant-numeric:tabular-nums;width:100%}
th,td{padding:5px 9px;text-align:left;vertical-align:top;white-space:nowrap}
td.text{white-space:normal;min-width:8em;max-width:34em;overflow-wrap:anywhere}
th{font-weight:600;color:var(--muted);vertical-align:bottom;border-bottom:1px solid var(--ink);line-height:1.25}
td{border-bottom:1px solid var(--rule)}
th:first-child,td:first-child{padding-left:2px}
.right{text-align:right}
.ci{color:var(--muted);font-size:.88em}
tr.published td{color:var(--muted);font-style:italic}
tr.total td{font-weight:650;border-bottom-color:var(--ink)}
code,pre{font:12.5px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
pre{background:var(--shade);padding:14px 16px;overflow-x:auto}
details{margin:18px 0 0}
summary{cursor:pointer;color:var(--link)}
footer{color:var(--muted);font-size:13px;margin-top:64px;padding-bottom:48px}
svg text{font-size:12px;fill:var(--ink);font-family:inherit}
svg .heading{font-weight:650}
svg .tick{fill:var(--muted);font-size:11px}
svg .published{fill:var(--muted);font-style:italic}
svg .value{font-variant-numeric:tabular-nums;fill:var(--muted)}
svg .strong{font-weight:650;fill:var(--ink)}
svg .inside{font-size:11px;font-variant-numeric:tabular-nums}
svg .on-novmf,svg .on-failed,svg .on-death,svg .on-sdc{fill:#fff}
svg .on-vmlost{fill:#15181c}
svg .grid{stroke:var(--rule);stroke-width:1}
svg .ink{stroke:var(--ink);stroke-width:1.3;fill:none}
svg .span{stroke:var(--muted);stroke-width:1}
svg .joint{fill:none;stroke:var(--muted);stroke-width:1;stroke-dasharray:2 3}
svg .band{fill:var(--novmf);opacity:.16}
svg .funnel{fill:var(--rule);opacity:.5}
svg .curve{fill:none;stroke-width:2;stroke-linejoin:round}
${fills}${strokes}${curves}
svg .under{fill:var(--paper)}
svg .faint{fill-opacity:.5}
@media screen and (max-width:800px){
main,header,footer{padding:0 16px}
header{padding-top:24px}
h1{font-size:22px}
h2{margin-top:40px}
dl{grid-template-columns:minmax(0,1fr);gap:0}
dd{margin-bottom:6px}
figure .wide{display:none}
figure .narrow{display:block;max-width:560px}
}
@media print{
:root{color-scheme:light;${variables(1)}}
body{font-size:10.5pt;-webkit-print-color-adjust:exact;print-color-adjust:exact}
main,header,footer{max-width:none;padding:0}
nav{display:none}
h2{margin-top:28px}
h2,h3{break-after:avoid}
figure,tr,.caveat{break-inside:avoid}
figure .wide{display:block}
figure .narrow{display:none}
.scroll{overflow:visible}
table{font-size:7.6pt}
th,td{padding:3px 5px}
td code{font-size:1em}
a{color:inherit;text-decoration:none}
}
`;
