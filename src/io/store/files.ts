// One machine: what is one over all is what lies in its own state folder, under its own lock.

import type { Meeting, Store } from '../../core/store/store.ts';
import { readPauses, removePause, writePause } from '../state/pauses.ts';

const ALONE: Omit<Meeting, 'pauses'> = {
  isDecider: true,
  windows: null,
  longestLimitMs: 0,
  warnings: [],
  leases: new Map(),
  lost: new Map(),
  offers: [],
  offersElsewhere: [],
  isOffering: false,
  attempts: new Map(),
  elsewhere: new Map(),
  agentsElsewhere: new Map(),
  agentsPresent: new Set(),
  declined: new Map(),
  dueAgain: new Map(),
  passedOver: new Map(),
  stamp: '',
};

const GRANTED = {
  kind: 'granted',
  lease: null,
  mayAppear: () => true,
  appeared: async () => {},
  withdrawn: async () => {},
} as const;

/** The store of a machine that works alone. The slot is in its state file, which a pass keeps. */
export function fileStore(stateDirectory: string): Store {
  return {
    meet: async () => ({ ...ALONE, pauses: readPauses(stateDirectory) }),
    offer: async () => {},
    decline: async () => {},
    claim: async () => GRANTED,
    leave: async () => null,
    share: async (_lines, after) => ({ lines: [], last: after }),
    pauses: async () => readPauses(stateDirectory),
    pause: async (pause) => writePause(stateDirectory, pause),
    resume: async (agent) => removePause(stateDirectory, agent),
    close: async () => {},
  };
}
