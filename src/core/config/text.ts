// A configuration as `init` writes it: few keys, each with what it is for.

export interface Answers {
  readonly url: string;
  readonly repositories: readonly string[];
  readonly tokenFile: string;
  readonly workspace: string;
  /** Empty: every assignee is an agent. */
  readonly agents: readonly string[];
}

/** The text of a configuration file. Every value is quoted: a name such as `null` or `1e3` stays a text. */
export function configText({ url, repositories, tokenFile, workspace, agents }: Answers): string {
  return `# The dispatcher's configuration, written by \`dispatcher init\`. Every key: dispatcher help config
# After a change: dispatcher doctor

gitea:
  url: ${quoted(url)}
  # owner/repository, or owner/* for all of an owner's.
  repositories: [${repositories.map(quoted).join(', ')}]
  # The token stands in a file of its own, which nobody else can read. The scope read:issue is enough.
  tokenFile: ${quoted(tokenFile)}

# Task files, state and log go below this folder.
workspace: ${quoted(workspace)}

# The agents' logins. Without this group every assignee is an agent.
${agents.length === 0 ? '#agents:\n#  hans: {}\n#  greta: { maxTasks: 2 }' : `agents:\n${agents.map((login) => `  ${quoted(login)}: {}`).join('\n')}`}

# At most one task in any window this long.
#rateLimit: 60s
# An issue that carries one of these labels is not dispatched.
#holdLabels: [on-hold]
`;
}

// A JSON text is a YAML text as well.
function quoted(text: string): string {
  return JSON.stringify(text);
}
