import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Synced } from '../../services/inputs.ts';
import type { TaskView } from '../../services/items/inputs.ts';
import { cursorOf } from '../cursor.ts';
import type { ActivityApi } from '../deps.ts';
import {
  contentField,
  deadlineField,
  emailsField,
  oneParent,
  parentMembers,
  toParent,
} from '../item-bodies.ts';
import { headMembers, itemParams, itemToJson } from '../item-schemas.ts';
import { givenFlag, instant, limit, listOf, noQuery, problems, recordId, waitFlag } from '../schemas.ts';
import { nextCursor, statusOf, toListQuery, withSync } from '../things.ts';
import { waitSignal } from '../wait.ts';

const LIST = 'tasks';

const taskSchema = z
  .object({
    ...headMembers,
    taskId: z.string().nullable().meta({ description: "Attio's id; null until Attio has it" }),
    content: z.string(),
    deadlineAt: instant.nullable(),
    isCompleted: z.boolean(),
    completedAt: instant.nullable(),
    linkedRecords: z.array(z.object({ object: z.string(), recordId: z.string().nullable() })),
    assignees: z
      .array(z.object({ id: z.string().nullable(), email: z.string().nullable() }))
      .meta({ description: 'Members of the workspace; `email` is null for one who is not known here' }),
  })
  .meta({
    id: 'Task',
    examples: [
      {
        id: '2b3c4d5e-6f70-4a1b-8c2d-3e4f5a6b7c8d',
        taskId: '2b3c4d5e-6f70-4a1b-8c2d-3e4f5a6b7c8d',
        content: 'Send the offer',
        deadlineAt: '2026-01-31T09:30:00.000Z',
        isCompleted: false,
        completedAt: null,
        linkedRecords: [{ object: 'people', recordId: 'bf071e1f-6035-429d-b874-d83ea64ea13b' }],
        assignees: [{ id: '5a6b7c8d-9e0f-4a1b-8c2d-3e4f5a6b7c8d', email: 'robin@example.com' }],
        version: 1,
        createdAt: '2026-01-01T09:30:00.000Z',
        updatedAt: '2026-01-01T09:30:00.000Z',
        deletedAt: null,
        sync: { status: 'synced', recordId: '2b3c4d5e-6f70-4a1b-8c2d-3e4f5a6b7c8d' },
      },
    ],
  });

const linked = z.strictObject(parentMembers, 'must be {"recordId":…} or {"email":…}').check(oneParent);

const newTask = z
  .strictObject(
    {
      content: contentField.meta({ description: 'At most 2,000 characters: more is refused' }),
      deadlineAt: deadlineField,
      linkedRecords: z
        .array(linked, 'must be a list of records')
        .max(50, 'has more than 50 records')
        .exactOptional(),
      assigneeEmails: emailsField,
    },
    'must be an object with at least content',
  )
  .meta({
    id: 'PostTask',
    examples: [
      {
        content: 'Send the offer',
        deadlineAt: '2026-01-31T09:30:00Z',
        linkedRecords: [{ email: 'ada@example.com' }],
        assigneeEmails: ['robin@example.com'],
      },
    ],
  });

const changedTask = z
  .strictObject(
    {
      isCompleted: z.boolean('must be true or false').exactOptional(),
      deadlineAt: deadlineField,
      assigneeEmails: emailsField.meta({ description: 'Exactly these; none: an empty list, or null' }),
    },
    'must be an object',
  )
  .refine(
    (body) => Object.keys(body).length > 0,
    'has nothing to change: send isCompleted, deadlineAt or assigneeEmails',
  )
  .meta({ id: 'PatchTask', examples: [{ isCompleted: true }] });

const listQuery = z.strictObject({
  recordId: recordId.exactOptional(),
  isCompleted: givenFlag.exactOptional(),
  limit,
  cursor: cursorOf(LIST, 'string').exactOptional(),
});

/** Tasks: read from the local database, written there first and then to Attio. */
export function tasksRoutes(activity: ActivityApi, ending: AbortSignal): FastifyPluginAsyncZod {
  const written = { 200: withSync(taskSchema), 202: withSync(taskSchema), ...problems };
  const writeQuery = z.strictObject({ wait: waitFlag });
  return async (app) => {
    app.post(
      '/tasks',
      {
        schema: {
          summary: 'Makes a task; 202 when Attio is yet to have it',
          tags: ['activity'],
          querystring: writeQuery,
          body: newTask,
          response: written,
        },
      },
      async (request, reply) => {
        const { linkedRecords = [], ...rest } = request.body;
        const input = { ...rest, linkedRecords: linkedRecords.map(toParent) };
        const { wait } = request.query;
        const signal = waitSignal(reply, ending);
        const result = await activity.addTask(input, { wait, signal, requestKey: request.requestKey });
        return reply.code(statusOf(result, wait)).send({ data: toJson(result), sync: result.sync });
      },
    );

    app.patch(
      '/tasks/:id',
      {
        schema: {
          summary: 'Changes a task; 202 when Attio is yet to have it',
          tags: ['activity'],
          params: itemParams,
          querystring: writeQuery,
          body: changedTask,
          response: written,
        },
      },
      async (request, reply) => {
        const options = { wait: request.query.wait, signal: waitSignal(reply, ending) };
        const { requestKey } = request;
        const result = await activity.updateTask(request.params.id, request.body, { ...options, requestKey });
        return reply
          .code(statusOf(result, request.query.wait))
          .send({ data: toJson(result), sync: result.sync });
      },
    );

    app.get(
      '/tasks',
      {
        schema: {
          summary: 'Tasks, all, those about a record, those that are (not) done',
          tags: ['activity'],
          querystring: listQuery,
          response: { 200: listOf(taskSchema), ...problems },
        },
      },
      async (request) => {
        const page = await activity.tasks(toListQuery(request.query));
        return { data: page.rows.map(toJson), nextCursor: nextCursor(LIST, page.next) };
      },
    );

    app.get(
      '/tasks/:id',
      {
        schema: {
          summary: 'One task',
          tags: ['activity'],
          params: itemParams,
          querystring: noQuery,
          response: { 200: withSync(taskSchema), ...problems },
        },
      },
      async (request) => {
        const found = await activity.task(request.params.id);
        return { data: toJson(found), sync: found.sync };
      },
    );
  };
}

function toJson(task: Synced<TaskView>): z.input<typeof taskSchema> {
  const { linkedRecords, assignees, ...rest } = itemToJson(task, 'taskId');
  return { ...rest, linkedRecords: [...linkedRecords], assignees: [...assignees] };
}
