// A "Copy" button takes the text of the code beside it.
for (const button of document.querySelectorAll("[data-copy]")) {
  const code = button.closest(".copy, .snippet").querySelector("code");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
    } catch {
      // Plain http on another machine has no clipboard: select the text, so that Ctrl+C takes it.
      getSelection().selectAllChildren(code);
      button.textContent = "Selected: press Ctrl+C";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2500);
  });
}
