// The review server, where the page comes from one: what is to be labelled, and where labels go.

export class Server {
  static async connect() {
    const server = new Server();
    await server.refresh();
    return server;
  }

  async refresh() {
    this.state = await ask("/state");
  }

  /** A vote; it is on the disk when this returns. Throws what the server says when it refuses. */
  async send(vote) {
    this.state = await ask("/labels", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(vote) });
  }
}

async function ask(path, options = {}) {
  const response = await fetch(path, options);
  if (!response.ok) throw new Error((await response.text()).slice(0, 300));
  return response.json();
}
