/** Ends the command: the message is for a person, in one sentence with the remedy. No stack is shown for it. */
export class Stop extends Error {
  /**
   * @param {string} message
   * @param {{ details?: string, exitCode?: number }} [options] details: shown above the sentence, such as the end of a log
   */
  constructor(message, { details = '', exitCode = 1 } = {}) {
    super(message);
    this.name = 'Stop';
    this.details = details;
    this.exitCode = exitCode;
  }
}
