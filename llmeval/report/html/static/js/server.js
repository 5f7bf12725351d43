// The review server, where the page comes from one: what is to be reviewed, and where labels go.

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
    this.state = await request("/labels", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(label),
    });
  }
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
