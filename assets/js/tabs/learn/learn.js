// The learn tab: a lesson in steps on the open sound, each with a figure, sliders and the way to the tab it is about.

import { keepInLink } from '../../core/link_fields.js';
import { events, showMessage, state } from '../../core/state.js';
import { currentTab, openTab } from '../../core/tabs.js';
import { Component, mounting } from '../../lib/component.js';
import { element, onResize, onThemeChange, textElement } from '../../lib/dom.js';
import { t } from '../../lib/i18n.js';
import { applyParameters } from '../../viewer/parameters.js';
import { retryButton } from '../../widgets/retry_button.js';
import { Figure } from './figure.js';
import { LessonData } from './lesson_data.js';
import { LessonSounds } from './lesson_sounds.js';
import { STEPS } from './steps/index.js';

const FIELD = 'learn'; // of the address
const SKELETON = `
  <nav data-aria="learn.steps"><ol></ol></nav>
  <article>
    <header aria-live="polite"><h2></h2><p class="sg-learn-text"></p></header>
    <div class="sg-learn-figure">
      <div class="sg-learn-plot" role="img"><canvas></canvas></div>
      <p class="sg-error" role="alert" hidden></p>
      <output></output>
      <div class="sg-learn-sliders"></div>
      <div class="sg-learn-sounds"></div>
    </div>
    <footer>
      <p class="sg-learn-try"><strong data-t="learn.try"></strong> <span></span></p>
      <div class="sg-learn-go">
        <button type="button" class="sg-button" data-do="previous" data-t="learn.previous"></button>
        <button type="button" class="sg-button sg-main" data-do="next" data-t="learn.next"></button>
        <button type="button" class="sg-button" data-do="open"></button>
      </div>
      <div class="sg-learn-more"></div>
    </footer>
  </article>`;

class Learn extends Component {
  at = 0; // of the shown step
  /** @type {Record<string, Record<string, number>>} positions of the sliders by step */
  values = Object.fromEntries(STEPS.map(({ name, sliders }) => [name,
    Object.fromEntries(Object.entries(sliders).map(([slider, { value }]) => [slider, value]))]));
  due = false; // whether the next frame draws

  constructor(host, context) {
    super(host, SKELETON);
    this.figure = new Figure(this.find('.sg-learn-plot'));
    this.data = new LessonData(context, this.figure, this.signal);
    this.sounds = new LessonSounds(this.signal);
    this.onValue(context, (reply) => this.data.take(reply));
    this.find('ol').append(...STEPS.map(({ name }, i) => this.stepLink(name, i)));
    this.on(this.find('.sg-learn-go'), 'click', ({ target }) => this.act(target.closest('button')?.dataset.do));
    this.on(this.find('.sg-learn-sliders'), 'input', ({ target }) => this.slide(target));
    this.on(events, 'sound', () => { this.data.forget(); this.sounds.stop(); this.load(); });
    onResize(this.find('.sg-learn-plot'), () => (this.loaded ? this.draw() : this.load()), this.signal);
    onThemeChange(() => this.draw(), this.signal);
    keepInLink(FIELD, () => (currentTab() === FIELD ? this.step.name : null), (name) => this.restore(name), this.signal);
    this.showStep();
  }

  get step() {
    return STEPS[this.at];
  }

  stepLink(name, i) {
    const item = element('<li><a></a></li>');
    item.firstChild.href = `#${FIELD}=${name}`;
    item.firstChild.textContent = t(`learn.title_${name}`);
    item.firstChild.addEventListener('click', (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a new window: by the address
      event.preventDefault(); // the address would reset the parameters
      this.go(i);
    });
    return item;
  }

  restore(name) {
    const i = STEPS.findIndex((step) => step.name === name);
    if (i < 0) showMessage(t('viewer_toolbar.link_ignored', { fields: FIELD }), 'note');
    else if (i !== this.at) this.go(i);
  }

  act(what) {
    if (what === 'previous') this.go(this.at - 1);
    if (what === 'next') this.go(this.at + 1);
    if (what === 'open') this.openTab();
  }

  go(i) {
    this.at = Math.min(STEPS.length - 1, Math.max(0, i));
    this.sounds.stop();
    this.showStep();
    const { top } = this.host.getBoundingClientRect();
    if (top < 0) this.host.scrollIntoView(); // the buttons stand below the figure on a phone
  }

  /** Texts and controls of the step; its figure follows once its data are there. */
  showStep() {
    const { name, sliders, sounds = {}, values } = this.step;
    const links = [...this.host.querySelectorAll('nav a')];
    links.forEach((link, i) => { link.ariaCurrent = i === this.at ? 'step' : null; });
    const list = this.find('ol'); // on a phone it scrolls sideways
    if (list.scrollWidth > list.clientWidth) list.scrollLeft = links[this.at].parentElement.offsetLeft - list.offsetLeft - 40;
    this.find('h2').textContent = `${this.at + 1}. ${t(`learn.title_${name}`)}`;
    this.find('.sg-learn-try span').textContent = t(`learn.try_${name}`);
    this.find('[data-do=open]').textContent = t(`learn.open_${name}`);
    const [previous, next] = ['previous', 'next'].map((way) => this.find(`[data-do=${way}]`));
    const [first, last] = [this.at === 0, this.at === STEPS.length - 1];
    if (first && document.activeElement === previous) next.focus(); // a disabled button would lose the focus
    if (last && document.activeElement === next) previous.focus();
    [previous.disabled, next.disabled] = [first, last];
    this.find('.sg-learn-plot').setAttribute('aria-label', t(`learn.title_${name}`));
    this.find('.sg-learn-sliders').replaceChildren(...Object.keys(sliders).map((slider) => this.slider(slider)));
    this.find('.sg-learn-sounds').replaceChildren(...Object.keys(sounds).map((sound) => this.soundButton(sound)));
    this.find('.sg-learn-text').textContent = values ? '' : t(`learn.text_${name}`); // with values: once they are there
    this.showWait();
    this.load();
  }

  slider(name) {
    const { min, max, step } = this.step.sliders[name];
    const label = element('<label><span></span><input type="range"><output></output></label>');
    label.firstChild.textContent = t(`learn.slider_${name}`);
    Object.assign(label.children[1], { min, max, step, value: this.values[this.step.name][name], name });
    return label;
  }

  soundButton(name) {
    const button = textElement('button', '', 'sg-chip');
    button.dataset.sound = name;
    Object.assign(button, { type: 'button' });
    button.addEventListener('click', () => {
      if (this.loaded) this.sounds.play(this.step.sounds[name](this.values[this.step.name], this.data));
    });
    return button;
  }

  slide({ name, value }) {
    this.values[this.step.name][name] = Number(value);
    if (this.due) return;
    this.due = true;
    requestAnimationFrame(() => {
      this.due = false;
      if (!this.signal.aborted) this.draw();
    });
  }

  get needs() {
    return this.step.needs ?? ['excerpt'];
  }

  /** Whether the shown step has its data. */
  get loaded() {
    return this.needs.every((need) => this.data[need]);
  }

  showWait(text = t(state.sound ? 'learn.wait' : 'learn.empty')) {
    this.host.removeAttribute('data-filled');
    this.showError();
    this.find('.sg-learn-figure > output').textContent = text;
    this.find('.sg-learn-more').replaceChildren();
  }

  async load() {
    if (!this.onScreen) return;
    const { step } = this;
    if (!state.sound && this.needs.some((need) => need !== 'facts')) return this.showWait();
    try {
      await this.data.get(this.needs);
      if (this.signal.aborted || step !== this.step || !this.loaded) return; // another step or sound follows
      this.fill();
    } catch (error) {
      if (this.signal.aborted || step !== this.step) return;
      this.showWait('');
      this.showError(error.message);
      this.find('.sg-error').append(' ', retryButton(() => { this.showWait(); this.load(); }));
    }
  }

  /** What the data add to the step's texts, and its figure. */
  fill() {
    const { name, text = () => null, measured = () => true, values = () => ({}), extra = () => [] } = this.step;
    this.host.toggleAttribute('data-filled', true);
    this.showError();
    if (!measured(this.data.facts)) {
      this.showWait(`${t('about_model.missing')} python -m training calibrate runs/NAME`);
      return;
    }
    this.find('.sg-learn-text').textContent = t(text(this.data) ?? `learn.text_${name}`, values(this.data));
    this.find('.sg-learn-more').replaceChildren(...extra(this.data));
    this.draw();
  }

  draw() {
    if (!this.host.hasAttribute('data-filled') || !this.loaded || !this.figure.begin()) return;
    const { name, sliders } = this.step;
    const values = this.values[name];
    const found = this.step.draw(this.data, values);
    this.find('.sg-learn-figure > output').textContent = t(`learn.read_${name}`, found);
    for (const input of this.host.querySelectorAll('.sg-learn-sliders input')) {
      const text = sliders[input.name].text(values[input.name], this.data);
      input.setAttribute('aria-valuetext', text);
      input.nextSibling.textContent = text;
    }
    for (const button of this.host.querySelectorAll('.sg-learn-sounds button')) {
      button.textContent = `▶ ${t(`learn.sound_${button.dataset.sound}`, found)}`;
    }
  }

  /** Open the step's tab with the step's settings. */
  openTab() {
    if (this.loaded) applyParameters(this.step.open(this.data, this.values[this.step.name]) ?? {});
    openTab(this.step.tab);
  }
}

export const mount = mounting('.sg-learn', Learn);
