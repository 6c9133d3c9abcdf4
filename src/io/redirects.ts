// Redirects are followed on one server only: what goes with the request, the token, goes nowhere else.

const MAX_REDIRECTS = 3;

interface Redirecting {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
}

/** Where a request ended up. `elsewhere`: it would have gone on at another server, null when nobody said where. */
export type Followed<T> =
  | { readonly kind: 'answer'; readonly answer: T }
  | { readonly kind: 'elsewhere'; readonly origin: string | null }
  | { readonly kind: 'circle' };

/** Asks at an address, and goes on where its answers lead to as long as that is the server of `url`. */
export async function followWithin<T extends Redirecting>(
  url: string,
  start: string,
  request: (address: string) => Promise<T>,
): Promise<Followed<T>> {
  const { origin } = new URL(url);
  let address = start;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
    const answer = await request(address);
    if (answer.status < 300 || answer.status > 399) return { kind: 'answer', answer };
    const location = parsedUrl(answer.headers.get('location'), address);
    if (location?.origin !== origin) return { kind: 'elsewhere', origin: location?.origin ?? null };
    address = location.href;
  }
  return { kind: 'circle' };
}

function parsedUrl(location: string | null, base: string): URL | null {
  return location !== null && URL.canParse(location, base) ? new URL(location, base) : null;
}
