/** How often a code may be tried, how long it is good, and how many of them somebody may ask for, by person and by number. */
export const codeLimits = { tries: 5, lifeMs: 600_000, resendAfterMs: 30_000, perHour: 5, perDay: 10 };
