/** Something a person can put right: the message is one sentence for the screen, with the remedy. No stack is shown for it. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
