// The page of a comparison or a grid begins here. Without scripts it shows the first rows as they are.

import { AnswerData } from "./answers_data.js";
import { AnswerList } from "./answers_list.js";
import { byId, h } from "./dom.js";
import { setUpTheme } from "./widgets.js";

async function mainOfComparison() {
  document.documentElement.classList.add("scripted");
  for (const node of document.querySelectorAll(".js[hidden]:not(#key-list):not(#more-line)")) {
    node.removeAttribute("hidden");
  }
  setUpTheme();
  byId("live").textContent = "Loading the answers…";
  const problem = await begin();
  if (problem) byId("answers").prepend(h("p", { class: "note", role: "alert" }, problem));
  document.documentElement.dataset.ready = "yes"; // for tests
}

/** What keeps the answers from being shown; empty where nothing does. */
async function begin() {
  if (typeof DecompressionStream === "undefined") {
    return "This browser is too old to show all answers. Use a newer one.";
  }
  try {
    const list = new AnswerList(await AnswerData.load());
    await list.show();
    return "";
  } catch (error) {
    console.error(error);
    byId("live").textContent = "";
    return "The answers can't be read: this file is damaged. Create it again.";
  }
}

mainOfComparison();
