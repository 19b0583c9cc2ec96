// The session's own network: in use or not, saved as a ZIP, and loaded again.

import { network, setNetwork } from '../../core/network.js';
import { request } from '../../core/rpc.js';
import { events, showMessage } from '../../core/state.js';
import { Component } from '../../lib/component.js';
import { fetchFile, saveFile } from '../../lib/dom.js';
import { className, t } from '../../lib/i18n.js';
import { networkSwitch } from './network_switch.js';

const SKELETON = `<p class="sg-small sg-own-classes"></p>
  <button type="button" class="sg-button sg-keep" data-t="teach.save"></button>`;

export class OwnNetwork extends Component {
  /** @param {any} host
   * @param {{server: any, upload: Function}} context
   */
  constructor(host, { server, upload }) {
    super(host, SKELETON);
    this.server = server;
    this.upload = upload;
    networkSwitch(host, this.signal);
    network.choose = (choice) => this.use(choice);
    this.on(this.find('.sg-keep'), 'click', () => this.save());
    this.on(events, 'network', () => this.draw());
    this.draw();
  }

  async use(choice) {
    await request(this.server.use_network, { choice });
    if (!this.signal.aborted) setNetwork(network.own, choice);
  }

  /** Load a network that was saved before; resolves to its figures, or null. */
  async load(file) {
    const { path } = await this.upload(file);
    const { classes, figures } = await request(this.server.load_network, { path, name: file.name });
    if (!this.signal.aborted) setNetwork({ classes }, 'own');
    return figures;
  }

  async save() {
    try {
      const { name, url } = await request(this.server.network_file, {});
      const file = await fetchFile(url);
      if (!this.signal.aborted) saveFile([file], name, 'application/zip');
    } catch (error) {
      showMessage(error.message);
    }
  }

  draw() {
    this.host.hidden = !network.own;
    const classes = network.own?.classes.map(className).join(', ');
    if (network.own) this.find('.sg-own-classes').textContent = t('teach.own', { classes });
  }
}
