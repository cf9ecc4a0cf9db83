/**
 * Ask the runner of this system to let a simulated rider press SOS.
 *
 * @throws Error with one sentence for the operator
 */
export async function pressSimulatedSos(url: string, getToken: () => Promise<string>): Promise<{ alertId: string }> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${await getToken()}` },
    body: '{}',
    // In a system that has just started a rider is waited for.
    signal: AbortSignal.timeout(45_000),
  }).catch((cause: unknown) => {
    throw new Error('The runner of the simulated fleet does not answer.', { cause });
  });
  const reply = (await response.json().catch(() => ({}))) as { alertId?: unknown; title?: unknown };
  if (response.ok && typeof reply.alertId === 'string') return { alertId: reply.alertId };
  throw new Error(typeof reply.title === 'string' ? reply.title : `The runner answered ${response.status}.`);
}
