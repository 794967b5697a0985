"use strict";
// Conveniences only: the page says everything without them.
(() => {
  const button = (label, act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = label;
    made.addEventListener("click", () => act(made));
    return made;
  };

  const copied = (made, label) => {
    made.textContent = "Copied";
    setTimeout(() => { made.textContent = label; }, 1500);
  };

  // Hidden characters are shown as escapes, so a copied command cannot hold any.
  for (const command of document.querySelectorAll(".command")) {
    const code = command.querySelector("code");
    command.append(button("Copy", (made) => {
      navigator.clipboard?.writeText(code.textContent).then(() => copied(made, "Copy"), () => {
        getSelection().selectAllChildren(code);
      });
    }));
  }

  const cards = [...document.querySelectorAll("details.finding")];
  if (cards.length > 1) {
    const bar = document.createElement("p");
    bar.className = "tools";
    bar.append(
      button("Open all", () => cards.forEach((card) => { card.open = true; })),
      button("Close all", () => cards.forEach((card) => { card.open = false; })),
    );
    document.getElementById("findings-title").after(bar);
  }
})();
