from django.urls import path

from approvals import api

urlpatterns = [
    path("sms-received", api.SmsReceived.as_view()),
    path("approve-response", api.ApproveResponse.as_view()),
    path("payment-plan-detected", api.PaymentPlanDetected.as_view()),
    path("escalate", api.Escalate.as_view()),
    path("workflow/<str:conversation_id>/status", api.WorkflowStatus.as_view()),
    path("retry/<uuid:workflow_id>", api.Retry.as_view()),
    path("metrics", api.Metrics.as_view()),
    path("responses", api.Responses.as_view()),
    path("escalations", api.Escalations.as_view()),
    path("payment-plans", api.PaymentPlans.as_view()),
]
