/** Texts that try to run, to hide or to break out, anywhere in a page. */
const hostileTexts: readonly string[] = [
  '<script>window.hacked=1</script>',
  '"><img src=x onerror="window.hacked=2">',
  "' onfocus='window.hacked=3' autofocus='",
  '</title></pre></textarea><svg onload="window.hacked=4">',
  '<a href="javascript:window.hacked=5" hx-on:load="window.hacked=6" hx-get="/x" hx-trigger="load">x</a>',
  '&lt;script&gt;window.hacked=7&lt;/script&gt;',
  'data: x\n\nevent: reload\ndata: y\r\rid: 1',
  '${'.concat('window.hacked=8}{{window.hacked=8}}'),
  'right\u202eto left\u2066, no\u200bthing, \u0000\u001b[2J, \ud800',
  '--><!--<base href="//evil.example/">',
];

/** All of them in one text. */
export const hostileText = hostileTexts.join(' ');
