// The review server, where the page comes from one: what is to be reviewed, and where labels go.

import { newId } from "./widgets.js";

/** @import { Label, ServerState } from "./types.js" */

export class Server {
  /** @param {ServerState} state */
  constructor(state) {
    this.state = state;
  }

  static async connect() {
    return new Server(await request("/state"));
  }

  async refresh() {
    this.state = await request("/state");
  }

  /**
   * Send a label; it is on the disk when this returns. Throws the server's message when it refuses.
   *
   * @param {Partial<Label>} label
   */
  async send(label) {
    this.state = await request("/labels", posted(label));
  }

  /**
   * Comment on a case.
   *
   * @param {string} caseId
   * @param {string} text
   */
  async comment(caseId, text) {
    const remark = { comment_id: newId(), case_id: caseId, text };
    this.state = await request("/comments", posted(remark));
  }

  /** End this browser's session with the server of a team, and show the form for the token. */
  async leave() {
    await fetch("/leave", { method: "POST" });
    location.reload();
  }
}

/**
 * @param {unknown} body
 * @returns {RequestInit}
 */
function posted(body) {
  const headers = { "Content-Type": "application/json" };
  return { method: "POST", headers, body: JSON.stringify(body) };
}

/**
 * @param {string} path
 * @param {RequestInit} options
 * @returns {Promise<ServerState>}
 */
async function request(path, options = {}) {
  const response = await fetch(path, options);
  if (!response.ok) throw new Error((await response.text()).slice(0, 300));
  return response.json();
}
