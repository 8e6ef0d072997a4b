import { z } from 'zod';
import { invalid, notFound, valueNotFound } from '../core/errors.ts';
import { PARENT_RECORD } from '../filters/paths.ts';
import type { Task } from '../state/activities.ts';
import type { World } from '../state/world.ts';
import { type Target, targetOfObject } from '../values/references.ts';
import { parseInstant } from '../values/times.ts';
import { type Call, param, route } from './router.ts';
import { data, flag, page, slice, uuid } from './schemas.ts';

const linkedRecords = z.array(z.looseObject({ target_object: z.string() }));
const assignees = z.array(
  z.union([
    z.object({ referenced_actor_type: z.literal('workspace-member'), referenced_actor_id: uuid }),
    z.strictObject({ workspace_member_email_address: z.string() }),
  ]),
);

const deadline = z
  .string()
  .nullable()
  .transform((text, context) => {
    if (text === null) return null;
    const read = parseInstant(text);
    if (read !== null) return read.iso;
    context.addIssue({ code: 'custom', message: 'Expected an ISO 8601 timestamp.' });
    return z.NEVER;
  });

function render(world: World, task: Task): Record<string, unknown> {
  return {
    id: { workspace_id: world.workspace.id, task_id: task.id },
    content_plaintext: task.content,
    deadline_at: task.deadlineAt,
    is_completed: task.isCompleted,
    completed_at: task.completedAt,
    linked_records: task.linked.map(({ objectId, recordId }) => ({
      target_object_id: world.objectSlugOf(objectId),
      target_record_id: recordId,
    })),
    assignees: task.assignees.map((id) => ({
      referenced_actor_type: 'workspace-member',
      referenced_actor_id: id,
    })),
    created_by_actor: task.createdBy,
    created_at: task.createdAt,
  };
}

function readLinks(world: World, links: z.output<typeof linkedRecords>): Target[] {
  return links.map((link) => {
    world.object(link.target_object);
    return targetOfObject(link, { ...PARENT_RECORD, slug: 'linked_records' }, world);
  });
}

function readAssignees(world: World, given: z.output<typeof assignees>): string[] {
  return given.map((one) => {
    const ref = 'referenced_actor_id' in one ? one.referenced_actor_id : one.workspace_member_email_address;
    const member = world.member(ref);
    if (member === undefined) throw valueNotFound(`Workspace member with ID "${ref}" not found.`);
    return member.id;
  });
}

function found(call: Call): Task {
  const id = param(call, 'task_id');
  const task = call.world.tasks.get(id);
  if (task === undefined) throw notFound(`Could not find Task with ID "${id}".`);
  return task;
}

const listQuery = z.object({
  ...page(500),
  sort: z
    .enum(['created_at:asc', 'created_at:desc', 'completed_at:asc', 'completed_at:desc'])
    .default('created_at:asc'),
  linked_object: z.string().optional(),
  linked_record_id: uuid.optional(),
  assignee: z.string().optional(),
  is_completed: flag.optional(),
});

type ListQuery = z.output<typeof listQuery>;

function filters(world: World, query: ListQuery): ((task: Task) => boolean)[] {
  const tests: ((task: Task) => boolean)[] = [];
  const { linked_object, linked_record_id, assignee, is_completed } = query;
  if ((linked_object === undefined) !== (linked_record_id === undefined)) {
    throw invalid('linked_object and linked_record_id must be given together.');
  }
  if (linked_object !== undefined) {
    const objectId = world.object(linked_object).id;
    tests.push((task) =>
      task.linked.some((link) => link.objectId === objectId && link.recordId === linked_record_id),
    );
  }
  if (assignee === '' || assignee === 'null') tests.push((task) => task.assignees.length === 0);
  else if (assignee !== undefined) {
    const id = world.member(assignee)?.id ?? '';
    tests.push((task) => task.assignees.includes(id));
  }
  if (is_completed !== undefined) tests.push((task) => task.isCompleted === is_completed);
  return tests;
}

function sorted(tasks: Task[], sort: ListQuery['sort']): Task[] {
  const key = (task: Task) => (sort.startsWith('created_at') ? task.createdAt : (task.completedAt ?? ''));
  tasks.sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
  return sort.endsWith('desc') ? tasks.reverse() : tasks;
}

function complete(task: Task, done: boolean, at: string): void {
  if (task.isCompleted === done) return;
  task.isCompleted = done;
  task.completedAt = done ? at : null;
}

export const taskRoutes = [
  route({
    method: 'GET',
    path: '/tasks',
    query: listQuery,
    handle({ world, query }) {
      const tests = filters(world, query);
      const tasks = [...world.tasks.values()].filter((task) => tests.every((test) => test(task)));
      return { data: slice(sorted(tasks, query.sort), query).map((task) => render(world, task)) };
    },
  }),
  route({
    method: 'POST',
    path: '/tasks',
    body: data(
      z.object({
        content: z.string().max(2000),
        format: z.literal('plaintext'),
        deadline_at: deadline,
        is_completed: z.boolean(),
        linked_records: linkedRecords,
        assignees,
      }),
    ),
    handle({ world, body, stamp }) {
      const { content, deadline_at, is_completed, linked_records } = body.data;
      const linked = readLinks(world, linked_records);
      const people = readAssignees(world, body.data.assignees);
      const { at, actor } = stamp();
      const task: Task = {
        id: world.newId(),
        content,
        deadlineAt: deadline_at,
        isCompleted: is_completed,
        completedAt: is_completed ? at : null,
        linked,
        assignees: people,
        createdBy: actor,
        createdAt: at,
      };
      world.tasks.set(task.id, task);
      world.emit('task.created', { task_id: task.id }, actor);
      return { data: render(world, task) };
    },
  }),
  route({
    method: 'GET',
    path: '/tasks/{task_id}',
    handle: (call) => ({ data: render(call.world, found(call)) }),
  }),
  route({
    method: 'PATCH',
    path: '/tasks/{task_id}',
    body: data(
      z.strictObject({
        deadline_at: deadline.optional(),
        is_completed: z.boolean().optional(),
        linked_records: linkedRecords.optional(),
        assignees: assignees.optional(),
      }),
    ),
    handle(call) {
      const { world } = call;
      const task = found(call);
      const { deadline_at, is_completed, linked_records } = call.body.data;
      const { at, actor } = call.stamp();
      const before = JSON.stringify(task);
      if (linked_records !== undefined) task.linked = readLinks(world, linked_records);
      if (call.body.data.assignees !== undefined)
        task.assignees = readAssignees(world, call.body.data.assignees);
      if (deadline_at !== undefined) task.deadlineAt = deadline_at;
      complete(task, is_completed ?? task.isCompleted, at);
      if (JSON.stringify(task) !== before) world.emit('task.updated', { task_id: task.id }, actor);
      return { data: render(world, task) };
    },
  }),
  route({
    method: 'DELETE',
    path: '/tasks/{task_id}',
    handle(call) {
      const task = found(call);
      call.world.tasks.delete(task.id);
      call.world.emit('task.deleted', { task_id: task.id }, call.stamp().actor);
      return {};
    },
  }),
];
