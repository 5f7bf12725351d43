// Where the page tells that something was not saved.

import { h } from "./dom.js";

export class Alert {
  constructor() {
    this.node = h("p", { class: "trouble", role: "alert", hidden: true });
  }

  /**
   * Do something that the server may refuse, or not be there for, and show that.
   *
   * @param {() => Promise<void>} action
   */
  async attempt(action) {
    this.node.hidden = true;
    try {
      await action();
    } catch (error) {
      this.node.hidden = false;
      this.node.textContent = `Not saved. ${reasonOf(error)}`;
    }
  }
}

/** @param {unknown} error */
function reasonOf(error) {
  // fetch fails with a TypeError when nobody answers.
  if (error instanceof TypeError) {
    return "The review server does not answer: start `llmeval review` again.";
  }
  return error instanceof Error ? error.message : String(error);
}
