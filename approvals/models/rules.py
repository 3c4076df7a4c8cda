"""What people turn while the system runs: a rule's switch, what their decisions taught, how they like the console."""

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from approvals.policy.confidence import Curve


class RuleSwitch(models.Model):
    """A rule that managers turn while the system runs, such as automatic sending. The newest row of a name counts."""

    name = models.CharField(max_length=50)
    value = models.BooleanField()
    reason = models.TextField(blank=True)
    turned_by = models.CharField(max_length=150)
    turned_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "rule_switches"
        verbose_name_plural = "rule switches"
        indexes = [models.Index(fields=["name", "-turned_at"], name="switch_latest")]

    def __str__(self) -> str:
        return f"{self.name} {'on' if self.value else 'off'} by {self.turned_by}"


class ConfidenceCurve(models.Model):
    """What managers' decisions have taught about the confidence, as plain numbers. The newest row counts.

    One without points is the way back to the figure of the written rules. `points` are pairs of decimal strings;
    the measures compare the figure without and with the curve on decisions that it was not learned from.
    """

    class Method(models.TextChoices):
        LOGISTIC = "logistic"
        ISOTONIC = "isotonic"
        OFF = "off"

    method = models.CharField(max_length=10, choices=Method)
    points = models.JSONField(default=list, blank=True)
    decisions = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0, help_text="How many of the decisions sent the draft as it was")
    learned_since = models.DateTimeField(null=True, blank=True)
    brier_before = models.FloatField(null=True, blank=True)
    brier_after = models.FloatField(null=True, blank=True)
    log_loss_before = models.FloatField(null=True, blank=True)
    log_loss_after = models.FloatField(null=True, blank=True)
    calibration_error_before = models.FloatField(null=True, blank=True)
    calibration_error_after = models.FloatField(null=True, blank=True)
    reason = models.TextField(blank=True)
    turned_by = models.CharField(max_length=150)
    turned_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "confidence_curves"
        constraints = [
            models.CheckConstraint(
                name="a_curve_in_service_is_no_worse_than_none",
                condition=Q(method="off", points=[])
                | Q(
                    brier_before__isnull=False,
                    log_loss_before__isnull=False,
                    brier_after__isnull=False,
                    log_loss_after__isnull=False,
                    brier_after__lte=F("brier_before"),
                    log_loss_after__lte=F("log_loss_before"),
                ),
            ),
        ]
        indexes = [models.Index(fields=["-turned_at"], name="curve_latest")]

    def __str__(self) -> str:
        return f"{self.method} of {self.decisions} decisions" if self.points else "no curve"

    @property
    def curve(self) -> Curve | None:
        """As the rules take it; None for the way back."""
        if not self.points:
            return None
        return Curve(points=tuple((Decimal(figure), Decimal(probability)) for figure, probability in self.points))


class ConsolePreference(models.Model):
    """How a person likes the console; whoever has no row has the defaults."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    keys = models.BooleanField(default=True, help_text="Whether single letters decide")

    class Meta:
        db_table = "console_preferences"

    def __str__(self) -> str:
        return f"keys {'on' if self.keys else 'off'}"
