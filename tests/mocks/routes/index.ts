import { memberRoutes } from './members.ts';
import { objectRoutes } from './objects.ts';
import { recordRoutes } from './records.ts';
import { Router } from './router.ts';
import { selfRoutes } from './self.ts';
import { webhookRoutes } from './webhooks.ts';

export const attioRouter = new Router([
  ...selfRoutes,
  ...objectRoutes,
  ...recordRoutes,
  ...memberRoutes,
  ...webhookRoutes,
]);
