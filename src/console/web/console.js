/* Behaviour of the console's pages in a browser. Without JavaScript they can be read, and forms work. */
(() => {
  /** A stream sends something every 5 s; after this long without, the page is outdated. In milliseconds. */
  const STALE_MS = 15_000;

  const live = document.querySelector('[data-live]');
  const sign = document.getElementById('live-sign');
  if (live && sign) {
    let last = Date.now();
    let missed = 0;
    const show = () => {
      const stale = Date.now() - last > STALE_MS;
      document.body.classList.toggle('stale', stale);
      // Like `instant` (text/times.ts), not in the format of the browser's locale and time zone.
      const time = new Date(last).toISOString().replace('T', ' ').slice(0, 19);
      const text = stale
        ? `Not live: nothing new since ${time} UTC. What you see is old. The page tries again by itself.`
        : `Live${missed > 0 ? `; ${missed} looks were left out because this connection is slow` : ''}`;
      if (sign.textContent !== text) sign.textContent = text;
      sign.hidden = false;
    };
    live.addEventListener('htmx:sse:after:message', () => {
      last = Date.now();
      show();
    });
    const reload = () => {
      document.dispatchEvent(new Event('ota:reload'));
      location.reload();
    };
    // The page has been replaced by another one.
    live.addEventListener('reload', reload);
    live.addEventListener('missed', (event) => {
      missed += Number(/** @type {CustomEvent} */ (event).detail.data) || 0;
    });
    // The stream has ended for good, for example with the session: the page is loaded again, unless somebody is
    // typing.
    const again = async () => {
      if (!document.body.classList.contains('stale')) return;
      const typing = document.activeElement?.matches('input, select, textarea') ?? false;
      const answer = await fetch(location.href, { redirect: 'manual' }).catch(() => undefined);
      if (answer && !typing && document.body.classList.contains('stale')) {
        reload();
      }
    };
    setInterval(again, STALE_MS);
    setInterval(show, 1_000);
    show();
  }

  // A file that is too large is not sent at all.
  for (const input of document.querySelectorAll('form[data-most-bytes] input[type=file]'))
    input.addEventListener('change', () => {
      if (!(input instanceof HTMLInputElement)) return;
      const most = Number(input.form?.dataset.mostBytes);
      const tooLarge = (input.files?.[0]?.size ?? 0) > most;
      input.setCustomValidity(tooLarge ? `The file is larger than ${Math.floor(most / 1_048_576)} MB.` : '');
      input.reportValidity();
    });

  const chart = document.getElementById('chart');
  if (chart && window.uPlot) void drawChart(chart);

  /** @param {HTMLElement} element */
  async function drawChart(element) {
    const Plot = window.uPlot;
    if (!Plot) return;
    /** @param {string} name */
    const colour = (name) => {
      // A canvas needs the colour itself, not a CSS expression for it.
      const probe = element.appendChild(document.createElement('i'));
      probe.style.color = `var(${name})`;
      const { color } = getComputedStyle(probe);
      probe.remove();
      return color;
    };
    // As everywhere on the pages, not in the format of the browser's locale and time zone.
    /** @param {number} seconds since the epoch */
    const clock = (seconds) => new Date(seconds * 1_000).toISOString().slice(11, 19);
    /** @param {string} label @param {string} stroke @param {import('uplot').Series} more */
    const line = (label, stroke, more = {}) => ({
      label,
      stroke: colour(stroke),
      width: 2,
      spanGaps: false,
      ...more,
    });
    const axis = {
      stroke: colour('--text'),
      grid: { stroke: colour('--line') },
      ticks: { stroke: colour('--line') },
    };
    const size = () => ({ width: Math.max(280, element.clientWidth), height: 260 });
    const answer = await fetch(element.dataset.samples ?? '');
    if (!answer.ok) return;
    /** @type {[number[], ...(number | null)[][]]} */
    const data = (await answer.json()).values;
    const plot = new Plot(
      {
        ...size(),
        series: [
          { label: 'UTC', value: (_plot, seconds) => (seconds === null ? '-' : clock(seconds)) },
          line('applied/s', '--chart-1'),
          line('in force', '--chart-2', { dash: [6, 3] }),
          line('limit found', '--chart-3', { dash: [2, 3] }),
          line('ceiling', '--chart-4', { dash: [10, 4] }),
          line('429s/s', '--chart-5'),
        ],
        axes: [
          { ...axis, label: 'UTC', values: (_plot, seconds) => seconds.map(clock) },
          { ...axis, label: 'per second' },
        ],
        scales: { y: { range: (_plot, _low, high) => [0, Math.max(1, high * 1.1)] } },
      },
      data,
      element,
    );
    window.addEventListener('resize', () => plot.setSize(size()));
    live?.addEventListener('sample', (event) => {
      const sample = JSON.parse(/** @type {CustomEvent} */ (event).detail.data);
      if (!Array.isArray(sample) || sample.length !== data.length || sample[0] <= (data[0].at(-1) ?? 0))
        return;
      data.forEach((column, i) => {
        column.push(sample[i]);
        while (column.length > 720) column.shift();
      });
      plot.setData(data);
    });
  }
})();
