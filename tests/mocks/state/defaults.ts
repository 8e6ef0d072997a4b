import { nanoIso } from '../core/clock.ts';
import type { Attribute, Stamp, StoredValue, ValueData } from '../core/types.ts';
import { codecOf } from '../values/index.ts';
import type { Table } from './table.ts';
import type { World } from './world.ts';
import type { PlannedValue } from './write.ts';

const DURATION = /^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/;

export function isDuration(text: string): boolean {
  return text.length > 1 && DURATION.test(text);
}

function after(at: string, duration: string): string {
  const [, years, months, weeks, days, hours, minutes, seconds] = (DURATION.exec(duration) ?? []).map(
    (part) => Number(part ?? 0),
  );
  const date = new Date(at);
  date.setUTCFullYear(date.getUTCFullYear() + (years ?? 0), date.getUTCMonth() + (months ?? 0));
  date.setUTCDate(date.getUTCDate() + (weeks ?? 0) * 7 + (days ?? 0));
  date.setUTCHours(date.getUTCHours() + (hours ?? 0), date.getUTCMinutes() + (minutes ?? 0));
  return nanoIso(date.getTime() + (seconds ?? 0) * 1000);
}

function dynamicData(attribute: Attribute, template: string, stamp: Stamp): ValueData {
  if (template === 'current-user') {
    return { referenced_actor_type: stamp.actor.type, referenced_actor_id: stamp.actor.id };
  }
  const iso = after(stamp.at, template);
  return { value: attribute.type === 'date' ? iso.slice(0, 10) : iso };
}

function defaultData(world: World, attribute: Attribute, stamp: Stamp): ValueData[] {
  const template = attribute.defaultValue;
  if (template === null) return [];
  if (template.type === 'dynamic') return [dynamicData(attribute, template.template, stamp)];
  const codec = codecOf(attribute.type);
  return template.template.map((input) => codec.parse(input, attribute, world));
}

/** Default values of a new row for the attributes the write left out. */
export function defaultsFor(
  world: World,
  table: Table,
  written: ReadonlyMap<string, PlannedValue>,
  stamp: Stamp,
): PlannedValue[] {
  const plans: PlannedValue[] = [];
  for (const attribute of table.schema.attributes) {
    if (attribute.defaultValue === null || attribute.archived || written.has(attribute.id)) continue;
    const key = codecOf(attribute.type).key;
    const values = defaultData(world, attribute, stamp).map(
      (data): StoredValue => ({ data, key: key(data), from: stamp.at, until: null, actor: stamp.actor }),
    );
    if (values.length > 0) plans.push({ attribute, before: [], after: values });
  }
  return plans;
}
