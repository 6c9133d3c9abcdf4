import { expect, test } from 'vitest';
import type { AgentDeps } from '../../src/agent/agent-deps.ts';
import { watchMailbox } from '../../src/agent/mcp-notices.ts';

test('news of a task that was taken and got them between two looks are told', async () => {
  const looks = [
    { stage: 'new', news: 0 },
    { stage: 'doing', news: 1 },
    { stage: 'doing', news: 1 },
    { stage: 'doing', news: 2 },
  ];
  let look = 0;
  const task = () => ({ home: 'issue-2.md', ref: 'acme/app#2', stage: looks[look]?.stage });
  const heard: string[] = [];
  const server = {
    sendResourceListChanged: () => {},
    server: {
      sendResourceUpdated: async ({ uri }: { uri: string }) => void heard.push(`${look}: ${uri}`),
      sendLoggingMessage: async () => {},
    },
  };
  const deps = {
    isInterrupted: () => look === looks.length - 1,
    waitForChange: async () => void (look += 1),
    mailbox: {
      look: () => ({ tasks: [task()] }),
      companions: () => ({ news: Array.from({ length: looks[look]?.news ?? 0 }, () => 'x') }),
    },
  };
  const uri = 'dispatcher://task/issue-2.md';
  await watchMailbox(server as never, deps as unknown as AgentDeps, new Set([uri]));
  expect(heard).toEqual([`1: ${uri}`, `3: ${uri}`]);
});
