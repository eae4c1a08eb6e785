/** What the pages' scripts find in a browser, besides the browser's own. */
import type UPlot from 'uplot';

declare global {
  interface Window {
    readonly uPlot?: typeof UPlot;
  }
}
