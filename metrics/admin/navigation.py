"""The sidebar's section about metrics."""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from alerting.admin.navigation import CONFIGURATION, WORK, Item

SECTION: Final[tuple[Promise, list[Item]]] = (
    _("Metrics"),
    [
        Item(_("Findings"), "troubleshoot", "metrics_finding_changelist", WORK),
        Item(_("Thresholds"), "speed", "metrics_threshold_changelist", CONFIGURATION),
        Item(_("Series"), "show_chart", "metrics_series_changelist", WORK),
        Item(_("Samples set aside"), "inbox", "metrics_samplesaside_changelist", WORK),
        Item(_("Metric sources"), "database", "metrics_source_changelist", CONFIGURATION),
        Item(_("Metric catalogue"), "menu_book", "metrics_metricchoice_changelist", CONFIGURATION),
        Item(_("Detection settings"), "settings_suggest", "metrics_metricspolicy_changelist", CONFIGURATION),
    ],
)
