import type { Provider } from '../provider.ts';

export type IncidentMessage =
  | {
      readonly action: 'trigger';
      /** One incident from its trigger to its resolution: the alert's id. At most 255 characters. */
      readonly dedupKey: string;
      /** One line, cut after 1024 characters. */
      readonly summary: string;
      /** What has the trouble: `hushryd-api in ap-south-1`. */
      readonly source: string;
      readonly severity: 'critical' | 'error' | 'warning' | 'info';
      readonly occurredAtMs: number;
      /** Everything whoever is on duty must see. Shown as it is: leave out what they may not. */
      readonly customDetails: Readonly<Record<string, string | number | boolean>>;
      readonly links?: readonly { readonly href: string; readonly text: string }[];
    }
  | { readonly action: 'acknowledge' | 'resolve'; readonly dedupKey: string };

export type IncidentProvider = Provider<IncidentMessage>;
