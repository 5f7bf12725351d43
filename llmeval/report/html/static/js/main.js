// The page begins here. Until then, and without scripts, the report is complete as it is.

import { parseAddress } from "./address.js";
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
  // Large files take seconds to unpack. Whoever opens the cases meanwhile sees that they are loading.
  addEventListener("hashchange", showView);
  showView();
  const app = await load();
  if (!app) return;
  removeEventListener("hashchange", showView);
  byId("help").addEventListener("click", () => app.shortcuts.help());
  document.documentElement.dataset.ready = "yes"; // for tests
}

/** The app; null when it can't start, which the page then says. */
async function load() {
  if (typeof DecompressionStream === "undefined") {
    return failed("This browser is too old to show the cases. Use a newer one.");
  }
  let data;
  try {
    data = await Data.load();
  } catch (error) {
    console.error(error);
    return failed(
      "The cases can't be read: this file is damaged. Create it again: llmeval report RUN",
    );
  }
  const server = data.meta.served ? await Server.connect().catch(() => undefined) : null;
  if (server === undefined) {
    return failed("The review server does not answer: start `llmeval review` again.");
  }
  return new App(data, server);
}

function showView() {
  const cases = parseAddress(location.hash).view === "cases";
  byId("report").hidden = cases;
  byId("cases").hidden = !cases;
}

/** @param {string} text */
function failed(text) {
  byId("cases").replaceChildren(h("p", { class: "nothing" }, text));
  byId("report").prepend(h("p", { class: "note", role: "alert" }, text));
  return null;
}

function openForPrint() {
  for (const node of document.querySelectorAll("#report details")) {
    if (!node.closest(UNPRINTED)) node.setAttribute("open", "");
  }
}

main();
