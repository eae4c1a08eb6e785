/** Globals that the pages' scripts find in a browser, in addition to the browser's own. */
import type UPlot from 'uplot';

declare global {
  interface Window {
    readonly uPlot?: typeof UPlot;
  }
}
