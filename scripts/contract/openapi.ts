/** The OpenAPI document of the console's API, as the console serves it. */
import packageJson from '../../package.json' with { type: 'json' };
import { letterRoutes } from '../../src/console/api/dead-letters.ts';
import { apiDocument } from '../../src/console/api/document.ts';
import { jobRoutes } from '../../src/console/api/jobs.ts';
import { observeRoutes } from '../../src/console/api/observe.ts';
import { planRoutes } from '../../src/console/api/plans.ts';

export function openApiText(): string {
  // The routes are only described, not served: they get nothing to serve with.
  const routes = [
    ...observeRoutes({} as never),
    ...jobRoutes({} as never),
    ...planRoutes({} as never),
    ...letterRoutes({} as never),
  ];
  return `${JSON.stringify(apiDocument(routes, packageJson.version), null, 2)}\n`;
}
