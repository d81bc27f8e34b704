"""Results as a DICOM structured report: a measurement report (PS3.16 TID 1500) in a Comprehensive SR (PS3.3 A.35.3).

Each question is a measurement group (TID 1501). Its tracking identifier is the question, whole; its finding is
the question as a code of the local scheme ``99FIVEFOLD``, the meaning of which is cut to the length that
DICOM allows; its measurements are the probability and the threshold, its evaluation is yes or no.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from highdicom.coding_schemes import CodingSchemeIdentificationItem
from highdicom.sr import (
    AlgorithmIdentification,
    CodedConcept,
    ComprehensiveSR,
    DeviceObserverIdentifyingAttributes,
    Measurement,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    QualitativeEvaluation,
    RelationshipTypeValues,
    SourceImageForMeasurementGroup,
    TextContentItem,
    TrackingIdentifier,
)
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian

from fivefold_healthcare.dicom.files import quiet
from fivefold_healthcare.dicom.generated import (
    MANUFACTURER,
    Origin,
    Result,
    add_patient_and_study,
    identity,
    long_string,
    named_uid,
    reference,
    require_results,
)

LOCAL_SCHEME = "99FIVEFOLD"
"""Designator of the codes for which there are none elsewhere; 99 marks it as private (PS3.16 8.1)."""

_LONGEST_CODE = 16


class _Report(ComprehensiveSR):  # type: ignore[misc]  # highdicom is not followed by mypy, so its classes are Any
    """A report that leaves patient and study to us."""

    def copy_patient_and_study_information(self, dataset: Dataset) -> None:
        """Nothing: highdicom does not know the attributes of retired and private classes of images."""


@quiet()
def structured_report(source: Dataset, results: Sequence[Result], origin: Origin) -> Dataset:
    """A preliminary, unverified report of ``results``, in the source's study and a series of its own.

    The observer is a device, the model. The notice is a comment at the root, before the measurements.

    Args:
        source: the image that the results are for, the evidence; it is left as it is.
        results: one or more.
        origin: where they come from.

    Returns:
        The report, with file meta information, to be saved by `save_dicom`.

    Raises:
        DataError: the source lacks an identifier, or there is no result.
    """
    identified = reference(source)
    require_results(results)
    report = _Report(
        evidence=[identified],
        content=_content(identified, results, origin),
        is_complete=False,
        is_final=False,
        is_verified=False,
        transfer_syntax_uid=ExplicitVRLittleEndian,
        coding_schemes=[
            CodingSchemeIdentificationItem(
                designator=LOCAL_SCHEME,
                name="Questions put to models by fivefold",
                responsible_organization="The user of fivefold",
            )
        ],
        **identity(source, origin, "report"),
    )
    add_patient_and_study(report, source, origin)
    return report


def question_code(label: str) -> CodedConcept:
    """The local code of a question: the same for the same label, wherever it is asked."""
    value = hashlib.sha256(label.encode()).hexdigest()[:_LONGEST_CODE].upper()
    return CodedConcept(value, LOCAL_SCHEME, long_string(label))


def _content(identified: Dataset, results: Sequence[Result], origin: Origin) -> MeasurementReport:
    report = MeasurementReport(
        title=codes.DCM.ImagingMeasurementReport,
        observation_context=ObservationContext(observer_device_context=_observer(origin)),
        procedure_reported=codes.SCT.ImagingProcedure,
        imaging_measurements=[_group(identified, result, origin) for result in results],
    )
    root = report[0]
    root.ContentSequence.insert(
        len(root.ContentSequence) - 1,
        TextContentItem(codes.DCM.Comment, origin.notice, RelationshipTypeValues.CONTAINS),
    )
    return report


def _observer(origin: Origin) -> ObserverContext:
    return ObserverContext(
        observer_type=codes.DCM.Device,
        observer_identifying_attributes=DeviceObserverIdentifyingAttributes(
            uid=named_uid(f"{origin.model}\n{origin.software_version}"),
            name=origin.model,
            manufacturer_name=MANUFACTURER,
            model_name=f"fivefold {origin.software_version}",
        ),
    )


def _group(identified: Dataset, result: Result, origin: Origin) -> MeasurementsAndQualitativeEvaluations:
    algorithm = AlgorithmIdentification(name=origin.model, version=origin.software_version)
    return MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(identifier=result.label),
        finding_type=question_code(result.label),
        algorithm_id=algorithm,
        measurements=[
            Measurement(codes.DCM.Probability, float(result.probability), codes.UCUM.NoUnits),
            Measurement(codes.DCM.ThresholdValue, float(result.threshold), codes.UCUM.NoUnits),
        ],
        qualitative_evaluations=[
            QualitativeEvaluation(
                CodedConcept("ANSWER", LOCAL_SCHEME, "Answer of the model"),
                codes.SCT.Yes if result.positive else codes.SCT.No,
            )
        ],
        source_images=[
            SourceImageForMeasurementGroup(identified.SOPClassUID, identified.SOPInstanceUID),
        ],
    )
