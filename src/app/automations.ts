import { automations } from '../automations.ts';
import type { NewAutomationJob } from '../domain/automations.ts';
import { GroupCommit } from '../queue/group-commit.ts';
import type { Automation, AutomationServices } from '../services/automations/automation.ts';
import { AwaitedStages } from '../services/automations/awaited.ts';
import { AutomationEngine } from '../services/automations/engine.ts';
import { ThingHydrator } from '../services/automations/hydrate.ts';
import type { WorkspaceGuard } from '../services/workspace.ts';
import type { AttioParts } from './attio.ts';
import type { Base } from './base.ts';

const HOUR_MS = 60 * 60 * 1000;

/** What shares a commit, and what may wait for one. */
const COMMIT = { maxBatch: 500, maxWaiting: 5_000 };

/** @param registered in place of those of `src/automations.ts`, for tests */
export function buildAutomations(
  base: Base,
  attio: AttioParts,
  workspace: WorkspaceGuard,
  services: AutomationServices,
  registered: readonly Automation[] | undefined,
) {
  const { config, clock, random, events, store, automationJobs: jobs } = base;
  const { schema, lists, members, choices } = attio;
  const all = registered ?? automations(config.automations);
  const accepted = new GroupCommit({
    ...COMMIT,
    async flush(items: readonly (readonly NewAutomationJob[])[]) {
      await jobs.add(items.flat());
      return items.map(() => undefined);
    },
  });
  const engine = new AutomationEngine({
    automations: all,
    jobs,
    log: accepted,
    things: new ThingHydrator({
      records: store.records,
      entities: store.entities,
      items: store.items,
      schema,
      lists,
      members,
    }),
    services,
    mayWork: () => workspace.maySync && base.instances.isHeld(),
    tellOthers: () => base.instances.publish('automations'),
    clock,
    random,
    events,
    options: { ...config.automations, giveUpAfterMs: config.automations.giveUpAfterHours * HOUR_MS },
    maxPending: config.automations.maxPending,
  });
  const awaited = new AwaitedStages({ lists, choices });
  return {
    engine,
    idle: () => accepted.idle(),
    /** Warns of stages that do not exist. What cannot be read now is not looked at: `doctor` does that. */
    async checkStages() {
      for (const { name, stages } of all) {
        for (const stage of stages) {
          const fault = await awaited.fault(stage).catch(() => null);
          if (fault !== null) events.automationWaitsInVain(name, fault);
        }
      }
    },
  };
}

export type AutomationParts = ReturnType<typeof buildAutomations>;
