// The page begins here. Until then, and without scripts, the report is complete as it is.

import { App } from "./app.js";
import { Data } from "./data.js";
import { byId, h } from "./dom.js";
import { Server } from "./server.js";
import { setUpTheme } from "./widgets.js";

/** In print, the cases that are named first are opened, and the others are not. */
const UNPRINTED = ".item:nth-child(n+11)";

async function main() {
  document.documentElement.classList.add("scripted");
  for (const node of document.querySelectorAll(".js[hidden]:not(#cases)")) {
    node.removeAttribute("hidden");
  }
  setUpTheme();
  addEventListener("beforeprint", openForPrint);
  if (typeof DecompressionStream === "undefined") {
    const text =
      "This browser is too old to open the rows (it has no DecompressionStream). Use a newer one, or: llmeval review RUN";
    byId("cases").append(h("p", { class: "note" }, text));
    return;
  }
  const data = await Data.load();
  const server = data.meta.served ? await Server.connect().catch(() => undefined) : null;
  if (server === undefined) {
    const text = "The review server does not answer. Start llmeval review again.";
    byId("report").prepend(h("p", { class: "note", role: "alert" }, text));
    return;
  }
  const app = new App(data, server);
  byId("help").addEventListener("click", () => app.shortcuts.help());
  document.documentElement.dataset.ready = "yes"; // for tests
}

function openForPrint() {
  for (const node of document.querySelectorAll("#report details")) {
    if (!node.closest(UNPRINTED)) node.setAttribute("open", "");
  }
}

main();
