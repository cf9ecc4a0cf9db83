/** How a connection calls itself at the server (CLIENT LIST): whose data it works on, and as what. */
export const connectionNameOf = ({
  role,
  purpose,
  prefix,
}: {
  role: string;
  purpose: 'commands' | 'subscriber' | 'jobs';
  prefix: string;
}): string => `hushryd-${role}-${purpose}@${prefix}`;
