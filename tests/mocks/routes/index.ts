import { attributeRoutes } from './attributes.ts';
import { commentRoutes } from './comments.ts';
import { entryRoutes } from './entries.ts';
import { listRoutes } from './lists.ts';
import { memberRoutes } from './members.ts';
import { noteRoutes } from './notes.ts';
import { objectRoutes } from './objects.ts';
import { recordRoutes } from './records.ts';
import { Router } from './router.ts';
import { searchRoutes } from './search.ts';
import { selfRoutes } from './self.ts';
import { taskRoutes } from './tasks.ts';
import { webhookRoutes } from './webhooks.ts';

export const attioRouter = new Router([
  ...selfRoutes,
  ...objectRoutes,
  ...attributeRoutes,
  ...searchRoutes,
  ...recordRoutes,
  ...listRoutes,
  ...entryRoutes,
  ...noteRoutes,
  ...taskRoutes,
  ...commentRoutes,
  ...memberRoutes,
  ...webhookRoutes,
]);
