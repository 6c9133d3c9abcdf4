// What lies between a host and its database: it loses connections, swallows what is sent, is slow, or leads to another
// server. One line of a conversation can be lost exactly: the n-th thing that a client says, or the answer to it.

import { connect, createServer, type Socket } from 'node:net';

/** How the n-th thing that clients say is lost: it does not arrive, or only its answer does not, or nothing arrives from then on. */
interface Loss {
  /** Counted from 1, over all connections since it was asked for. */
  readonly message: number;
  readonly what: 'request' | 'answer' | 'rest';
}

export interface TcpProxy {
  readonly port: number;
  /** How often a client has said something since the last call of `lose`. */
  readonly said: () => number;
  /** New connections lead to this port from now on; those that are open are cut. */
  readonly aim: (port: number) => void;
  /** Cuts every connection, at once and without a farewell. */
  readonly cut: () => void;
  /** Cuts a connection at one exact line of its conversation; null for no more of it. */
  readonly lose: (loss: Loss | null) => void;
  /** The same at the first thing said that holds this text, such as `COMMIT`. */
  readonly loseAt: (text: string, what: Loss['what']) => void;
  /** Connections stay, and new ones are taken, but nothing arrives any more in either direction. */
  readonly swallow: (isSwallowing: boolean) => void;
  /** Everything takes so much longer, in each direction. */
  readonly delay: (ms: number) => void;
  /** Changes what the server says, such as its version; of the same length. */
  readonly rewrite: (from: string, to: string) => void;
  readonly close: () => Promise<void>;
}

/** Listens at a port of the loopback, and leads to another one. The caller closes it. */
export async function startTcpProxy(target: number): Promise<TcpProxy> {
  const now = {
    target,
    said: 0,
    loss: null as Loss | null,
    losing: null as { readonly text: string; readonly what: Loss['what'] } | null,
    isSwallowing: false,
    delayMs: 0,
    rewrites: [] as (readonly [from: string, to: string])[],
  };
  const open = new Set<Socket>();
  const lost = (said: Buffer): Loss['what'] | null => {
    if (now.losing && said.includes(now.losing.text)) {
      const { what } = now.losing;
      now.losing = null;
      return what;
    }
    return now.loss?.message === now.said ? now.loss.what : null;
  };
  const later = (work: () => void): void => {
    if (now.delayMs === 0) work();
    else setTimeout(work, now.delayMs);
  };

  const server = createServer({ noDelay: true }, (client) => {
    const behind = connect({ host: '127.0.0.1', port: now.target, noDelay: true });
    const cut = (): void => {
      client.resetAndDestroy();
      behind.resetAndDestroy();
    };
    let isAnswerLost = false;
    for (const socket of [client, behind]) {
      open.add(socket);
      // Whichever end goes, the other one is told; what goes wrong is told by the end of the connection.
      socket
        .on('error', () => {})
        .on('close', () => {
          open.delete(socket);
          if (!now.isSwallowing) later(() => (socket === client ? behind : client).destroy());
        });
    }
    client.on('data', (said: Buffer) => {
      if (now.isSwallowing) return;
      now.said += 1;
      const what = lost(said);
      if (what === 'rest') {
        now.isSwallowing = true;
        return;
      }
      if (what === 'request') {
        cut();
        return;
      }
      isAnswerLost ||= what === 'answer';
      later(() => behind.writable && behind.write(said));
    });
    behind.on('data', (answer: Buffer) => {
      if (now.isSwallowing) return;
      // It has been done: that is what its answer says.
      if (isAnswerLost) cut();
      else later(() => client.writable && client.write(rewritten(answer, now.rewrites)));
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const cutAll = (): void => {
    for (const socket of open) socket.resetAndDestroy();
  };
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    said: () => now.said,
    aim: (port) => {
      now.target = port;
      cutAll();
    },
    cut: cutAll,
    lose: (loss) => {
      now.said = 0;
      now.loss = loss;
    },
    loseAt: (text, what) => {
      now.losing = { text, what };
    },
    swallow: (isSwallowing) => {
      now.isSwallowing = isSwallowing;
      // What was swallowed is missing: no conversation can go on after that.
      if (!isSwallowing) cutAll();
    },
    delay: (ms) => {
      now.delayMs = ms;
    },
    rewrite: (from, to) => void now.rewrites.push([from, to]),
    close: async () => {
      cutAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function rewritten(answer: Buffer, rewrites: readonly (readonly [string, string])[]): Buffer {
  return rewrites.reduce(
    (bytes, [from, to]) =>
      Buffer.from(
        bytes.toString('latin1').replaceAll(from, () => to),
        'latin1',
      ),
    answer,
  );
}
