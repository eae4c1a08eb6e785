/*
 * Keeps what was typed into a form if its session has ended. The form is sent and the sign-in page comes instead of the answer;
 * after signing in, the form's page is shown again with what was typed. The text is kept in this window only, and only until
 * then.
 */
(() => {
  const DRAFT = 'ota-draft';
  const KEEP = 'ota-keep';

  /** @param {HTMLFormElement} form */
  const fieldsOf = (form) =>
    [...form.elements].flatMap((field) => {
      const typed =
        field instanceof HTMLInputElement ||
        field instanceof HTMLTextAreaElement ||
        field instanceof HTMLSelectElement;
      if (!typed || field.name === '' || /^(hidden|password|file|submit)$/.test(field.type)) return [];
      const ticked = field instanceof HTMLInputElement && /^(checkbox|radio)$/.test(field.type);
      return [{ name: field.name, value: field.value, ...(ticked && { checked: field.checked }) }];
    });

  /** @param {HTMLFormElement} form */
  const save = (form) => {
    const action = form.getAttribute('action') ?? '';
    const draft = { path: location.pathname, action, fields: fieldsOf(form) };
    sessionStorage.setItem(DRAFT, JSON.stringify(draft));
  };

  const restore = () => {
    const draft = JSON.parse(sessionStorage.getItem(DRAFT) ?? 'null');
    const kept = sessionStorage.getItem(KEEP) !== null;
    sessionStorage.removeItem(DRAFT);
    sessionStorage.removeItem(KEEP);
    if (!kept || draft === null || draft.path !== location.pathname) return;
    const form = [...document.forms].find((each) => each.getAttribute('action') === draft.action);
    if (form === undefined) return;
    for (const { name, value, checked } of draft.fields)
      for (const field of form.elements) {
        if (!('name' in field) || field.name !== name) continue;
        if (field instanceof HTMLInputElement && checked !== undefined) {
          if (field.value === value) field.checked = checked;
        } else if (
          field instanceof HTMLInputElement ||
          field instanceof HTMLTextAreaElement ||
          field instanceof HTMLSelectElement
        )
          field.value = value;
      }
    const details = form.closest('details');
    if (details !== null) details.open = true;
    const note = document.createElement('p');
    note.className = 'done';
    note.setAttribute('role', 'status');
    note.textContent = 'What you typed is back. It was not sent.';
    form.prepend(note);
    form.scrollIntoView();
  };

  if (document.querySelector('[data-keep-draft]') === null) restore();
  else if (sessionStorage.getItem(DRAFT) !== null) sessionStorage.setItem(KEEP, 'yes');
  document.addEventListener('submit', ({ target }) => {
    if (
      target instanceof HTMLFormElement &&
      target.method === 'post' &&
      target.dataset.keepDraft === undefined
    )
      save(target);
  });
  // The page is about to reload itself.
  document.addEventListener('ota:reload', () => {
    const typed = [...document.forms].find((form) =>
      [...form.elements].some(
        (field) =>
          field instanceof HTMLInputElement && field.type === 'text' && field.value !== field.defaultValue,
      ),
    );
    if (typed === undefined) return;
    save(typed);
    sessionStorage.setItem(KEEP, 'yes');
  });
})();
