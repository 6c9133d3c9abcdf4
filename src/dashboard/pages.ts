import Handlebars from 'handlebars';

const PAGES = ['page', 'agent', 'task', 'history', 'message'] as const;
const PARTIALS = [
  'layout',
  'sentence',
  'age',
  'priority',
  'issue',
  'tasks',
  'bar',
  'axis',
  'scale',
  'lines',
  'legend',
] as const;

export type PageName = (typeof PAGES)[number];

/** Reads all page templates. The answer renders one of them; everything it shows is escaped. */
export function loadPages(source: (name: string) => string): (name: PageName, data: object) => string {
  const handlebars = Handlebars.create();
  // Every missing value is an error, which the tests find: an empty place on a page would not be noticed.
  const options = { strict: true, preventIndent: true };
  for (const name of PARTIALS) {
    handlebars.registerPartial(name, handlebars.compile(source(`partials/${name}.hbs`).trimEnd(), options));
  }
  const pages = new Map(PAGES.map((name) => [name, handlebars.compile(source(`${name}.hbs`), options)]));
  return (name, data) => pages.get(name)?.(data) ?? '';
}
